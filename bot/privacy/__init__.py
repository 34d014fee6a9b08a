"""Personal data: how long each kind is kept, how one person is erased, how all is backed up and restored."""
