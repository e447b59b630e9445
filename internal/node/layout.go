package node

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

const (
	tokenBytes = 8

	// MaxTenantBytes and MaxKeyBytes bound what names a value.
	MaxTenantBytes = 128
	MaxKeyBytes    = 1024
)

// appendKey appends the key under which the engine keeps (tenant, key), and
// returns its token:
//
//	token, 8 bytes big endian | tenant | 0 | key
//
// Tokens are those of a ring with the hash ring.XXHash64, so that a partition of
// such a cluster is one contiguous scan. In a cluster with another hash the
// layout is as valid, since no other node sees it; only the scans are longer.
func appendKey(b []byte, tenant string, key []byte) (engineKey []byte, token uint64) {
	token = tokenOf(tenant, key)
	b = binary.BigEndian.AppendUint64(b, token)
	b = append(b, tenant...)
	b = append(b, 0) // no tenant id contains it
	return append(b, key...), token
}

func tokenOf(tenant string, key []byte) uint64 {
	var short [192]byte // what usual names fit is put together and hashed in one call: in half of the time
	if len(tenant)+len(key) <= len(short)-4 {
		b := binary.BigEndian.AppendUint32(short[:0], uint32(len(tenant)))
		return xxhash.Sum64(append(append(b, tenant...), key...))
	}
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(tenant)))
	var h xxhash.Digest
	h.Reset()
	_, _ = h.Write(length[:]) // a hash never fails to take bytes
	_, _ = h.WriteString(tenant)
	_, _ = h.Write(key)
	return h.Sum64()
}
