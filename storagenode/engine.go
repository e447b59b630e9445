package storagenode

import "github.com/devrev/pairdb/internal/node"

// An Engine keeps a node's bytes; its methods say what is asked of it. Pebble and
// memory are built in; pass another with WithEngine, and check it with
// enginetest.Run.
type Engine = node.Engine

// A KV is one key with its value.
type KV = node.KV

// NewMemory returns an Engine that keeps everything in memory.
func NewMemory() Engine { return node.NewMemory() }
