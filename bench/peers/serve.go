package peers

import (
	"fmt"
	"net"
	"os"

	"github.com/devrev/pairdb/bench/child"
)

// ServeEnv is the environment variable that makes a run of this program a server. Its value
// is the name to give to Serve.
const ServeEnv = "PAIRDB_BENCH_SERVE"

// serverPrograms are the servers by the values of ServeEnv. Each starts, says where it
// listens, and returns with the server running.
var serverPrograms = map[string]func(args []string) (addr string, err error){
	floorTCPServer:  serveFloorTCP,
	floorGRPCServer: serveFloorGRPC,
	unaryServer:     serveUnary,
	etcdServer:      serveEtcd,
}

// Serve runs the server of that name until standard input ends, and returns true; or it
// returns false at once if no server has that name. A server that fails ends the program.
func Serve(name string, args []string) bool {
	program, ok := serverPrograms[name]
	if !ok {
		return false
	}
	addr, err := program(args)
	if err != nil {
		die(name, err)
	}
	child.Say(addr)
	return true
}

func die(name string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	os.Exit(1)
}

// listenAndServe serves at a free port, from a goroutine of its own that ends with the process.
func listenAndServe(name string, serve func(net.Listener) error) (addr string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { die(name, serve(l)) }()
	return l.Addr().String(), nil
}
