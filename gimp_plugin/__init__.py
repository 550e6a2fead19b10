"""The GIMP 3 plug-in: copied into GIMP's plug-ins folder, imports only the standard library and gi at start."""
