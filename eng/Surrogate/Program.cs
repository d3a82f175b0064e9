using Hyperlight.Surrogates;

if (args is not [var path])
{
    Console.Error.WriteLine("Usage: Surrogate PATH. Writes the surrogate executable to a file.");
    return 1;
}

File.WriteAllBytes(path, SurrogateImage.Create());
return 0;
