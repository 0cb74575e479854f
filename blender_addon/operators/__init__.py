"""What the user can have done, one module a subject; each names its classes in ``CLASSES``."""
