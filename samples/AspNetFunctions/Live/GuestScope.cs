namespace Hyperlight.Samples.AspNetFunctions.Live;

/// <summary>The log scope of a call: it says which guest a record is from.</summary>
internal sealed record GuestScope(string Guest)
{
    public override string ToString() => $"guest: {Guest}";
}
