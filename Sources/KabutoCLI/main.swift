print("kabuto")
