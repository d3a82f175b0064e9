namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>The place of an instruction's memory operand in a span: bytes of one page that several instructions use.</summary>
/// <param name="Span">Which span of the trace, counted from 1; 0 if the operand is translated by itself.</param>
/// <param name="IsFirst">Whether it is the first instruction of the span, which translates all of it.</param>
/// <param name="Offset">Where the operand is in the span.</param>
/// <param name="Size">The bytes of the span.</param>
/// <param name="IsWritten">Whether an instruction of the span writes.</param>
internal readonly record struct SpanPlace(int Span, bool IsFirst, int Offset, int Size, bool IsWritten);
