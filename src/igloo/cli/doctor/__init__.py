"""``igloo doctor``: looks at everything Igloo stands on, and says what to do about what is wrong."""
