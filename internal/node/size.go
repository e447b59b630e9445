package node

import (
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/vclock"
)

// messageBytes stands for a message itself and its small fields, in memory, where
// they take more than on the wire.
const messageBytes = 128

// operationBytes is what an operation counts for in all bounds: everything whose
// length the sender chooses, what it has of the frame that it came in, and the messages in memory.
func operationBytes(op *wire.Operation) int {
	n := messageBytes + max(op.Size, len(op.Tenant)+len(op.Key)+stateBytes(&op.State))
	if op.Size > 0 && !op.State.IsZero() {
		n += messageBytes * (1 + len(op.State.Siblings))
	}
	return n
}

func answerBytes(a *wire.Answer) int {
	return messageBytes + len(a.Detail) + stateBytes(&a.State)
}

func stateBytes(s *vclock.State) int {
	if s.IsZero() {
		return 0
	}
	n := messageBytes + 16*len(s.Clock)
	for i := range s.Siblings {
		n += messageBytes + len(s.Siblings[i].Value)
	}
	return n
}
