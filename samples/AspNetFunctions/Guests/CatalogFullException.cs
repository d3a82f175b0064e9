namespace Hyperlight.Samples.AspNetFunctions.Guests;

/// <summary>There are as many guests as the service may have.</summary>
internal sealed class CatalogFullException(int maximum)
    : Exception($"There are {maximum} guests, which is the limit. Delete one, or set Functions:MaximumGuests to more.");
