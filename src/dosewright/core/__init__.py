"""The nouns every room exchanges; imports nothing of the other rooms."""
