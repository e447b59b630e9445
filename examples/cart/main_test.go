package main

func Example() {
	main()
	// Output:
	// after two edits at once (siblings: 2):
	//   2 × apples
	//   1 × bread
	// after the merge is stored (siblings: 1):
	//   2 × apples
	//   1 × bread
}
