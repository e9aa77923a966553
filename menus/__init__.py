"""The words and trees of the conversation: shape in Python, words in TOML, behaviour in functions it is given."""
