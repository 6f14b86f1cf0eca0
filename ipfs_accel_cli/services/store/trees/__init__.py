"""Trees: mutable paths over content that never changes; each file of a tree is a CID that the tree keeps."""
