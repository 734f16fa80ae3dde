"""Which entries of YAML and JSON files are the flag's, and how do they leave?"""
