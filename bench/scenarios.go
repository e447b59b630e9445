package main

// scenarios lists all scenarios in the order in which they run. What needs quiet comes first, and what may use
// the time that is left comes last.
func scenarios() []Scenario {
	return []Scenario{
		microScenario(),
		slowOwnerScenario(),
		overloadScenario(),
		clientMemoryScenario(),
		costByNodesScenario(),
		costByKeysScenario(),
	}
}
