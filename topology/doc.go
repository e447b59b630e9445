// Package topology says what the cluster is: its nodes, where they are, and
// since which epoch.
//
// A [Topology] is one version of that, a [Source] tells the current version and waits
// for the next. [Static], [Addrs] and [File] are sources; [Manual] is one that
// a program drives. Placement is not decided here: [Topology.Ring] hands the nodes
// to package ring, which does.
//
// # Invariants
//
//  1. A Topology that a Source returns passes [Topology.Validate] and is never changed
//     afterwards, by nobody: it is shared by all who asked.
//  2. One epoch names one topology. The epoch grows with every change, and a
//     source never goes back. Coordinators and nodes that agree on the epoch
//     agree on the owners of every key.
//  3. Cluster, Partitions and Hash are the same in every epoch of a cluster: they
//     decide which partition a key is in. [Topology.Follows] checks 2 and 3.
//  4. A node's ID stands for what it stores. Its address, zone, weight and state may
//     change from epoch to epoch; a machine that starts empty under an old ID is seen
//     by its store id, and trusted only when [Node.StoreID] says so.
//  5. The order of Nodes means nothing. Two topologies that differ in order alone
//     are equal, and place keys alike.
//
// # The file
//
// [File] and [Topology.UnmarshalJSON] read this form. Partitions, hash and, in a
// node, zone, weight, state and storeId may be left out. Fields that are not
// listed here, fields given twice and another spelling of them are refused, with
// the line.
//
//	{
//	  "cluster": "shop",                       1–64 of [A-Za-z0-9._-]
//	  "epoch": 7,                              from 1; raise it with every change
//	  "partitions": 4096,                      a power of two; default 4096
//	  "hash": "xxhash64",                      or "sha256"; default xxhash64
//	  "nodes": [
//	    {
//	      "id": "n1",                          1–64 of [A-Za-z0-9._-]
//	      "addr": "10.0.0.1:7400",             host:port
//	      "zone": "eu-1a",                     default: none
//	      "weight": 1.5,                       share of the data; default 1
//	      "state": "active",                   or "draining"; default active
//	      "storeId": "00c0ffee12345678"        1–16 hex digits; default: unknown
//	    }
//	  ]
//	}
package topology
