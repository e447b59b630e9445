// Package framed carries the frames of the protocol (storagepb) over one plain connection
// each way, for both ends.
//
// A node speaks gRPC, which every language does, and this beside it, at the same address: gRPC spends, on
// each frame and side, several goroutine switches and copies on streams, flow control and headers
// that one stream per connection has no use for; with many small operations that is most of what a request
// costs. What the frames say is the same.
//
// # The connection
//
// The client begins with Preface, the node answers with it; a server of HTTP/2 hangs
// up on it. Then each side sends frames:
//
//	kind, 1 byte | length, 4 bytes big endian | so many bytes
//
//	0 message  a ClientFrame or a ServerFrame
//	1 end      why no more will come: a gRPC status code as a varint, then its text
//	2 ping     answered with a pong; empty
//	3 pong     empty
//
// Over TLS, the client asks for ALPN, and "h2" after it.
//
// # Invariants
//
//  1. A frame goes out whole, or the connection is closed: nothing comes after a part of one.
//  2. Who has heard nothing for a while asks, and hangs up when no answer comes (Watch). TCP alone would not
//     notice a process that is stopped.
//  3. What a peer claims to send takes no memory before it is there.
//  4. After End nothing is received: no frame is put together from what is thrown away and what is not.
//  5. A connection that ends in good order is read to its end first, for a moment: else the
//     system throws away, with what was not read here, what the peer has not read yet.
package framed
