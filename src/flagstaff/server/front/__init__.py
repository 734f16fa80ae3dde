"""What happens to every request before and after the application has it?"""
