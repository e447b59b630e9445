package testservers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

const (
	lowestPort = 12_000
	portCount  = 10_000 // and as many above, for the bus of Redis Cluster; Linux hands out those from 32,768 on
	busOffset  = 10_000 // as Redis has it
)

// freePort finds a port that is free, and so is the one of a Redis Cluster's bus.
func freePort() (int, error) {
	for range 200 {
		port := lowestPort + rand.IntN(portCount)
		if !portIsTaken(port) && !portIsTaken(port+busOffset) {
			return port, nil
		}
	}
	return 0, errors.New("testservers: no free port on 127.0.0.1")
}

func portIsTaken(port int) bool {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return true
	}
	return l.Close() != nil
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
