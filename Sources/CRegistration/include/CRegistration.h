// Makes backends known before `main` begins; nothing in here is called.
