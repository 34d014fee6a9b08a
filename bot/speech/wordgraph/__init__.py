"""The words of the small recogniser: its graphs taken apart, and built again with more of them."""
