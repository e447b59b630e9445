package idempotency_test

import (
	"testing"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/idempotencytest"
)

func TestMemoryKeepsTheContractOfAStore(t *testing.T) {
	idempotencytest.Run(t, func(*testing.T) idempotency.Store {
		return idempotency.NewMemory(0)
	}, idempotencytest.InBubble())
}

func TestMemoryKeepsTheContractOfAStoreInRealTime(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for times to live")
	}
	shared := idempotency.NewMemory(0)
	idempotencytest.Run(t, func(*testing.T) idempotency.Store { return shared })
}
