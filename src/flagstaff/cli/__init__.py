"""How does a person run it from a terminal?"""
