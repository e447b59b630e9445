package wire

import (
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// An Operation is storagepb.Operation in the form that both ends work with. What it
// holds may share memory with the frame that it came in, and is not changed.
type Operation struct {
	Id        uint64 // as in storagepb
	Kind      storagepb.Kind
	Epoch     uint64
	TimeoutMs uint32
	Tenant    string
	Key       []byte
	Policy    storagepb.Policy
	Origin    storagepb.Origin
	// State is zero where the message has none. It is as it came: whether it keeps the rules of
	// its type is for the node to ask.
	State vclock.State
	// Columns says that the state's clock had more actors than stamps, or fewer: it is
	// left out, and the operation is to be refused with ErrColumns.
	Columns bool
	// Size is what the operation has of its frame, in bytes: for as long as it is in use, so
	// is that part. What belongs to none counts for the first. 0 where it came in no frame.
	Size int
}

// An Answer is storagepb.Answer in that form.
type Answer struct {
	Id     uint64 // as in storagepb
	Status storagepb.Status
	Detail string
	State  vclock.State
	Digest uint64
	Live   bool
	Seen   bool
	// Columns is as Operation's.
	Columns bool
}
