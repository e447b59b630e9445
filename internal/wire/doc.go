// Package wire turns the states of package vclock into those of the protocol
// (storagepb) and back, for both ends of a connection.
//
// Values are shared between the two forms, never copied: whoever holds one form
// may read the values and changes nothing.
package wire
