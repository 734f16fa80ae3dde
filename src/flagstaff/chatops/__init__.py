"""How does a chat message become a command, and an outcome a message?"""
