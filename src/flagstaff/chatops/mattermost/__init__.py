"""How does Mattermost talk to us, and how do we answer?"""
