"""What a person does to a clip before sharing it. One file for each kind of edit; `pipeline` lists them in order."""
