SELECT nextval('detection_versions') AS version
