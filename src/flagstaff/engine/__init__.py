"""What must happen now?"""
