"""A definition: text to tree, tree to frozen types, and everything that a deployment refuses."""
