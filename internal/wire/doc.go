// Package wire writes and reads the frames of the protocol (storagepb) for both ends of a
// connection, in the form that both work with, and is their codec for gRPC.
//
// What a node reads shares memory with the frame that it came in, which nobody changes; what a coordinator
// reads is its own. FromState and ToState are for who speaks the protocol through the generated code.
package wire
