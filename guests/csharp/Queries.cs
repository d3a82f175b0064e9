using System.Globalization;
using System.Numerics;

namespace Hyperlight.Guests.CSharp;

/// <summary>LINQ, collections and numbers.</summary>
internal static class Queries
{
    private sealed record Person(string Name, int Age, string City);

    public static int Run()
    {
        Person[] people = [.. Enumerable.Range(0, 200).Select(i => new Person($"p{(i * 37) % 200}", 18 + ((i * 7) % 60), "ABCD"[i % 4].ToString()))];
        foreach (var group in people.GroupBy(p => p.City).OrderBy(g => g.Key))
        {
            Console.WriteLine($"{group.Key}: {group.Count()}, {group.Average(p => p.Age):F3}, {group.MaxBy(p => p.Age)}, {group.OrderBy(p => p.Name).First().Name}");
        }

        Console.WriteLine(string.Join(',', people.OrderBy(p => p.Age).ThenByDescending(p => p.Name).Take(10).Select(p => p.Name)));
        Console.WriteLine(string.Join(',', people.Join(people, p => p.Age, p => p.Age + 1, (a, b) => a.Age - b.Age).Distinct()));
        Console.WriteLine(string.Join(',', Enumerable.Range(1, 20).Chunk(6).Select(c => c.Aggregate(1L, (a, b) => a * b))));
        Console.WriteLine(people.AsParallel().Where(p => p.Age % 2 == 0).Sum(p => p.Age));

        var sorted = new SortedDictionary<string, List<int>>(StringComparer.Ordinal);
        foreach (Person person in people)
        {
            (sorted.TryGetValue(person.City, out List<int>? ages) ? ages : sorted[person.City] = []).Add(person.Age);
        }

        Console.WriteLine(string.Join(' ', sorted.Select(p => $"{p.Key}{p.Value.Sum()}")));
        Console.WriteLine(BigInteger.Pow(3, 200) % BigInteger.Pow(10, 30));
        Console.WriteLine((decimal.MaxValue / 3m).ToString(CultureInfo.InvariantCulture));
        Console.WriteLine($"{Math.PI:R} {Math.Sqrt(2):E10} {1 / 3f} {double.Epsilon} {Math.Pow(1.0001, 10000)} {Math.Sin(1e6)}");
        Console.WriteLine(Vector4.Dot(new Vector4(1, 2, 3, 4), new Vector4(5, 6, 7, 8)));
        return 3;
    }
}
