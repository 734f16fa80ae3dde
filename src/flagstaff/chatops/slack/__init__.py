"""How does Slack talk to us, and how do we answer?"""
