"""What can be asked for? Terminal, chat, web and issues all build these same values."""
