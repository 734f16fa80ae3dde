"""Who is on call, as a file or a service elsewhere says?"""
