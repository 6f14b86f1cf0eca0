"""fastText: classifiers over words and their parts, such as one for languages."""
