"""What does a read-only edge do, between applications and a control plane?"""
