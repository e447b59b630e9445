// Package storagepb is the protocol between a coordinator and a storage node:
// storage.proto, which documents it, and the code generated from it.
package storagepb

//go:generate env GOWORK=off go -C ../tools run ./genproto
