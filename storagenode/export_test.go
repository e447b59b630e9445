package storagenode

// OpenPebble opens the engine alone.
func OpenPebble(dir string) (Engine, error) {
	o := defaults()
	return o.open(dir)
}
