"""How fast is it, beside its peers?"""
