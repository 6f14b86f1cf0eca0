"""Speaking with servers of OpenAI's protocol: another's on the network, or one of ours on this machine."""
