PLACE = "on the server"
