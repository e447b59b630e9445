package report

// What is measured. The aims and the charts name them.
const (
	Memory        = "pairdb-memory"
	Pebble        = "pairdb-pebble"
	FloorTCP      = "floor-tcp"
	FloorTCPPlain = "floor-tcp-plain"
	FloorGRPC     = "floor-grpc"
	Unary         = "unary"
	Etcd          = "etcd"
	RedisEverysec = "redis-everysec"
	RedisAlways   = "redis-always"
	Disk          = "fdatasync" // one write of 512 bytes and its fdatasync
)

// The workloads. Callers of pairdb keep the context of each key's last receipt for Put, as one who edits what he
// has read does; PutBlind is without, which costs pairdb a round trip. For the peers the two are the same.
const (
	Put      = "put"
	PutBlind = "put-blind"
	Get      = "get"
	Mix      = "mix"     // 95 Get, 5 PutBlind
	PutMany  = "putmany" // of 100
	GetMany  = "getmany" // of 100
	Sync     = "sync"    // of Disk
)

// WorkloadTitles are the workloads in the order of the tables, with their headings.
var WorkloadTitles = []struct{ Workload, Title string }{
	{Put, "PUT (pairdb: with the context of the key's last receipt)"},
	{Get, "GET"},
	{PutBlind, "PUT without a context"},
	{Mix, "95 % GET, 5 % PUT without a context"},
	{PutMany, "PutMany of 100, counted by key"},
	{GetMany, "GetMany of 100, counted by key"},
	{Sync, "one write of 512 bytes and fdatasync"},
}
