package node

import (
	"google.golang.org/protobuf/proto"

	"github.com/devrev/pairdb/storagepb"
)

// messageBytes stands for a message itself and its small fields, in memory, where
// they take more than on the wire.
const messageBytes = 128

// operationBytes is what an operation counts for in all bounds: everything whose
// length the sender chooses, fields that this version does not know included.
func operationBytes(op *storagepb.Operation) int {
	return messageBytes + len(op.GetTenant()) + len(op.GetKey()) + stateBytes(op.GetState()) + unknownBytes(op)
}

func answerBytes(a *storagepb.Answer) int {
	return messageBytes + len(a.GetDetail()) + stateBytes(a.GetState())
}

func stateBytes(s *storagepb.State) int {
	if s == nil {
		return 0
	}
	n := messageBytes + 8*(len(s.GetClockActors())+len(s.GetClockStamps())) + unknownBytes(s)
	for _, sibling := range s.GetSiblings() {
		n += messageBytes + len(sibling.GetValue()) + unknownBytes(sibling)
	}
	return n
}

func unknownBytes(m proto.Message) int { return len(m.ProtoReflect().GetUnknown()) }
