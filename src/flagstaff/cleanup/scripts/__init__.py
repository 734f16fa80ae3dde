"""How are JavaScript and TypeScript rewritten once a flag's answer is fixed?"""
