// A program as any other. The build of the sample RunProgram publishes it as a native executable, which RunProgram runs in a micro VM.
Console.WriteLine($"Hello, {(args.Length > 0 ? string.Join(" and ", args) : "World")}!");
return args.Length;
