"""Where do code, merge requests and issues live?"""
