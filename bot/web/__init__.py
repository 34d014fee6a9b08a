"""The pages: accounts sign in here, agents have their desk, customers take surveys in the browser."""
