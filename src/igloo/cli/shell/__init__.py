"""``igloo shell``: statements typed one after the other, in one session."""
