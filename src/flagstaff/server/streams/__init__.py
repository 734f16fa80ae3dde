"""How do changes reach everyone who waits for them, however many they are?"""
